"""A configuration that cannot be read at all is a fault of the configuration, in one sentence."""

import os
import subprocess
import sys

import pytest

from twf_async.errors import BadConfiguration
from twf_async.settings.files import find_config_dir

AS_SOMEBODY = """
import os, sys
from twf_async.errors import BadConfiguration
from twf_async.settings.files import find_config_dir, read
from pathlib import Path
if os.geteuid() == 0:
    os.setuid(65534)
try: print(read(find_config_dir(sys.argv[1], {}) / "service.toml"))
except BadConfiguration as error: print(error)
"""


@pytest.mark.parametrize(
    ("hidden", "named"), [("config", "models.toml"), ("config/service.toml", "service.toml")]
)
def test_what_belongs_to_somebody_else_is_named_with_who_should_read_it(hidden, named, tmp_path):
    (tmp_path / "config").mkdir()
    for name in ("models", "service"):
        (tmp_path / "config" / f"{name}.toml").touch()
    tmp_path.chmod(0o755)
    (tmp_path / "config").chmod(0o755)
    (tmp_path / hidden).chmod(0)

    done = subprocess.run(
        [sys.executable, "-c", AS_SOMEBODY, "config"], cwd=tmp_path, capture_output=True, text=True
    )
    (tmp_path / hidden).chmod(0o755)

    user = os.geteuid() or 65534
    assert done.stdout == (
        f"config/{named}: cannot be read: Permission denied; let user {user} read it\n"
    )


def test_a_directory_that_no_system_can_have_is_none():
    with pytest.raises(BadConfiguration, match="models.toml: cannot be read: File name too long"):
        find_config_dir("x" * 300, {})
