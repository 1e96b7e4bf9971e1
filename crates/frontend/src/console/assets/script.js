// What the pages do besides: each of them works without it.
"use strict";

// Copy buttons.
for (const button of document.querySelectorAll("button.copy")) {
  if (!navigator.clipboard) continue;
  const label = button.textContent;
  button.hidden = false;
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(button.dataset.copy);
    button.textContent = button.dataset.copied;
    setTimeout(() => { button.textContent = label; }, 2000);
  });
}

// Counters of characters, as the server counts them: code points, not UTF-16 units.
for (const field of document.querySelectorAll("textarea[data-characters]")) {
  const output = document.getElementById(field.dataset.counter);
  if (!output) continue;
  const count = () => {
    const left = Number(field.dataset.characters) - [...field.value].length;
    output.textContent = `${left} ${output.dataset.unit}`;
    output.classList.toggle("over", left < 0);
  };
  output.hidden = false;
  field.addEventListener("input", count);
  count();
}

// A date, or for good: one switches the other off.
for (const box of document.querySelectorAll("input[data-excludes]")) {
  const other = document.getElementById(box.dataset.excludes);
  const apply = () => { other.disabled = box.checked; };
  box.addEventListener("change", apply);
  apply();
}

// Live search: the form is sent when typing pauses.
for (const field of document.querySelectorAll("input[data-live]")) {
  let timer;
  field.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(() => field.form.requestSubmit(), 400);
  });
  if (field.value) {
    field.focus();
    field.setSelectionRange(field.value.length, field.value.length);
  }
}

// Boxes that take effect at once.
for (const box of document.querySelectorAll("input[data-submits]")) {
  box.addEventListener("change", () => box.form.requestSubmit());
}
