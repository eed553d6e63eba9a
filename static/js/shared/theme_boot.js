// Loaded before the first paint, as a plain script: a module would let the wrong theme flash.
{
  const system = matchMedia("(prefers-color-scheme: dark)");
  const chosen = () => {
    try {
      return localStorage.getItem("fer-web.theme");
    } catch {
      return null; // storage can be forbidden altogether
    }
  };
  const apply = () => {
    document.documentElement.dataset.theme = chosen() ?? (system.matches ? "dark" : "light");
  };
  apply();
  system.addEventListener("change", apply);
}
