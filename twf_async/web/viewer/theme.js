// Sets the chosen theme before the first paint. Not a module: modules run too late for that.
"use strict";
(() => {
  const root = document.documentElement;
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const read = () => {
    try {
      return localStorage.getItem("theme");
    } catch {
      return null; // storage is blocked in some embedded frames
    }
  };
  const shown = () => root.dataset.theme || (dark.matches ? "dark" : "light");
  const chosen = read();
  if (chosen === "dark" || chosen === "light") root.dataset.theme = chosen;

  window.toggleTheme = () => {
    const next = shown() === "dark" ? "light" : "dark";
    const byDefault = dark.matches ? "dark" : "light";
    if (next === byDefault) delete root.dataset.theme;
    else root.dataset.theme = next;
    try {
      if (next === byDefault) localStorage.removeItem("theme");
      else localStorage.setItem("theme", next);
    } catch {
      // it holds until the page is left
    }
    return next;
  };
})();
