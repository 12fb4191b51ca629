"use strict";
// Keyboard first: grades fill one metric after the other, a choice is one key, arrows walk through the tasks.
(() => {
  const grades = document.querySelector("form.grades");
  const choice = document.querySelector("form.choice");
  const fields = grades ? [...grades.querySelectorAll("fieldset")] : [];
  const filled = (field) => field.querySelector("input:checked");
  let active = Math.max(0, fields.findIndex((field) => !filled(field)));

  const mark = () => fields.forEach((field, place) => field.classList.toggle("active", place === active));
  const follow = (id) => { const link = document.getElementById(id); if (link) link.click(); };

  const grade = (key) => {
    const input = fields[active].querySelector(`input[value="${key}"]`);
    if (!input) return;
    input.checked = true;
    active = Math.min(active + 1, fields.length - 1);
    mark();
  };

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.altKey || event.metaKey || event.target.matches("input:not([type=radio])")) return;
    if (event.key === "ArrowLeft" && (grades || choice)) { event.preventDefault(); follow("back"); return; }
    if (event.key === "ArrowRight" && (grades || choice)) { event.preventDefault(); follow("next"); return; }
    if (grades && "012".includes(event.key)) { event.preventDefault(); grade(event.key); }
    else if (grades && event.key === "Backspace") {
      event.preventDefault();
      const last = filled(fields[active]) ? active : Math.max(0, active - 1);
      const input = filled(fields[last]);
      if (input) input.checked = false;
      active = last;
      mark();
    } else if (grades && event.key === "Enter") { event.preventDefault(); grades.requestSubmit(); }
    else if (choice && "012".includes(event.key)) { event.preventDefault(); choice.querySelector(`[data-key="${event.key}"]`).click(); }
  });

  fields.forEach((field, place) => field.addEventListener("focusin", () => { active = place; mark(); }));
  mark();
  const current = document.getElementById("current");
  if (current) current.scrollIntoView({ block: "nearest" });
})();
