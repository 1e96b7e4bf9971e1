// What the pages do besides: each of them works without it.
"use strict";

// Copy buttons, also those that come later: the style shows them once there is a clipboard.
if (navigator.clipboard) {
  document.documentElement.classList.add("copies");
  document.addEventListener("click", async ({ target }) => {
    const button = target.closest("button.copy");
    if (!button || button.textContent === button.dataset.copied) return;
    await navigator.clipboard.writeText(button.dataset.copy);
    const [label, name] = [button.textContent, button.getAttribute("aria-label")];
    button.textContent = button.dataset.copied;
    button.removeAttribute("aria-label");
    setTimeout(() => {
      button.textContent = label;
      button.setAttribute("aria-label", name);
    }, 2000);
  });
}

// What was done is said once: who loads the page anew is not told again.
const address = new URL(location.href);
if (address.searchParams.has("done")) {
  address.searchParams.delete("done");
  history.replaceState(null, "", address);
}

// A form that changes something is sent once, however often its button is pressed.
for (const form of document.querySelectorAll("form[method=post]")) {
  let sent = false;
  form.addEventListener("submit", event => {
    if (sent) event.preventDefault();
    sent = true;
    // Who waited in vain, or came back to the page, may send it again.
    setTimeout(() => { sent = false; }, 5000);
  });
}

// What is wrong is gone to, and read out with its field.
document.querySelector("[aria-invalid=true]")?.focus();

// Counters of characters, as the server counts them: code points, not UTF-16 units.
for (const field of document.querySelectorAll("textarea[data-characters]")) {
  const output = document.getElementById(field.dataset.counter);
  if (!output) continue;
  const count = () => {
    const left = Number(field.dataset.characters) - [...field.value].length;
    output.textContent = `${left} ${left === 1 ? output.dataset.one : output.dataset.unit}`;
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

// Live search: when typing pauses, the page that the form leads to is fetched, and its results and their number take the
// places of those that are shown. The number is a status, so that it is read out. Where anything fails, the form is sent.
for (const field of document.querySelectorAll("input[data-live]")) {
  const { form } = field;
  let timer, running;

  const search = async () => {
    const mine = running = new AbortController();
    const address = `${form.getAttribute("action")}?${new URLSearchParams(new FormData(form))}`;
    try {
      const answer = await fetch(address, { redirect: "error", signal: mine.signal });
      if (!answer.ok) throw new Error(answer.statusText);
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      for (const id of field.dataset.live.split(" ")) {
        document.getElementById(id).replaceChildren(...page.getElementById(id).childNodes);
      }
      history.replaceState(null, "", address);
    } catch {
      if (!mine.signal.aborted) form.requestSubmit();
    }
  };

  const stop = () => {
    clearTimeout(timer);
    running?.abort();
  };
  form.addEventListener("submit", stop);
  field.addEventListener("input", () => {
    stop();
    timer = setTimeout(search, 400);
  });
}

// Boxes that take effect at once.
for (const box of document.querySelectorAll("input[data-submits]")) {
  box.addEventListener("change", () => box.form.requestSubmit());
}
