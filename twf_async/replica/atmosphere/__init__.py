"""The synthetic atmosphere behind the loopback NOMADS of the demo.

`synthetic_tree.SyntheticTree` is the face: a `FileTree` of GFS, AIGFS and HRRR runs. Below it, from
the ground up: `texture` (noise), `geography` and `terrain` (the earth), `storms` (travelling
cyclones), `column` and `flow` (temperature, heights and winds of the free air), `rain` and
`surface` (what people see of it), `accumulation` (time integrals), `fields` (all of it by GRIB
name); `inventory`, `runs`, `product`, `spatial` and `store` make files of it.

Nothing here is random: the valid time decides the weather, so that consecutive runs agree; models
and leads differ by small, hashed displacements of the same storms.
"""
