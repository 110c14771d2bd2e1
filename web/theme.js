// Which theme was chosen, before anything is painted.
try {
  const chosen = localStorage.getItem("bimetal-theme");
  if (chosen === "light" || chosen === "dark") document.documentElement.dataset.theme = chosen;
} catch {
  // Storage may be forbidden; the system's choice holds then.
}
