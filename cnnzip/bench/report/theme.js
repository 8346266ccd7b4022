// Runs in the head, before anything is painted: a remembered choice must not flash the other theme first.
(() => {
  const KEY = "cnnzip-bench-theme";
  const root = document.documentElement;
  const dark = matchMedia("(prefers-color-scheme: dark)");

  // Storage may be forbidden for files; the choice then lasts as long as the page.
  const remembered = () => {
    try {
      return localStorage.getItem(KEY);
    } catch {
      return null;
    }
  };
  const remember = (theme) => {
    try {
      localStorage.setItem(KEY, theme);
    } catch {
      // Forbidden: `data-chosen` keeps it until the page is closed.
    }
  };

  const apply = () => {
    root.dataset.theme = remembered() ?? root.dataset.chosen ?? (dark.matches ? "dark" : "light");
  };

  apply();
  dark.addEventListener("change", apply);
  document.addEventListener("click", (event) => {
    if (!event.target.closest("#theme")) return;
    const theme = root.dataset.theme === "dark" ? "light" : "dark";
    root.dataset.chosen = theme;
    remember(theme);
    apply();
  });
})();
