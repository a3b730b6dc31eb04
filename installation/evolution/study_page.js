// What is asked comes with the page; what is answered stays in this browser until the listener saves it.
const asked = JSON.parse(document.getElementById("asked").textContent);
const NAMES = Object.keys(asked.clips);
const SHELF = "listening-study:" + asked.study;
const $ = (id) => document.getElementById(id);

// ---- chance: everything drawn for a listener follows from one number

function chance(seed) { // mulberry32: uniform in 0..1
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}

function shuffled(list, random) {
  const mixed = [...list];
  for (let last = mixed.length - 1; last > 0; last--) {
    const other = Math.floor(random() * (last + 1));
    [mixed[last], mixed[other]] = [mixed[other], mixed[last]];
  }
  return mixed;
}

function swapped([a, left, right]) { return [a, right, left]; }

// Order and sides; some of the first half come again in the last third, sides swapped.
function plan(seed) {
  const random = chance(seed);
  const sided = asked.triplets.map((row) => (random() < 0.5 ? row : swapped(row)));
  const plain = shuffled(sided.filter(([a, left, right]) => a !== left && a !== right), random);
  const again = shuffled(plain.slice(0, Math.floor(plain.length / 2)), random).slice(0, asked.repeats).map(swapped);
  const insert = (row, from) => plain.splice(from + Math.floor(random() * (plain.length - from + 1)), 0, row);
  again.forEach((row) => insert(row, Math.ceil((plain.length * 2) / 3)));
  sided.filter(([a, left, right]) => a === left || a === right).forEach((row) => insert(row, 1));
  return { triplets: plain, ratings: shuffled(NAMES, random).slice(0, asked.ratings) };
}

// ---- what is remembered

function fresh() {
  const drawn = crypto.getRandomValues(new Uint32Array(5));
  return {
    participant: [...drawn.slice(1)].map((each) => each.toString(16).padStart(8, "0")).join(""),
    seed: drawn[0], started: null, about: {}, place: 0, stopped: false, triplets: [], ratings: [],
  };
}

function remembered() {
  try {
    const found = JSON.parse(localStorage.getItem(SHELF));
    return found && Number.isInteger(found.seed) && Array.isArray(found.triplets) && Array.isArray(found.ratings) ? found : null;
  } catch {
    return null;
  }
}

function remember() {
  try { localStorage.setItem(SHELF, JSON.stringify(held)); } catch { /* a private window: nothing is kept */ }
}

function forget() {
  try { localStorage.removeItem(SHELF); } catch { /* nothing was kept */ }
}

let held = remembered() || fresh();
let drawn = plan(held.seed);
let keys = {}; // what a key does on this screen

// ---- drawing

function made(tag, properties = {}, ...children) {
  const element = Object.assign(document.createElement(tag), properties);
  element.append(...children);
  return element;
}

function say(text, wrong = false) {
  $("says").textContent = text;
  const seen = $("state");
  if (seen) {
    seen.textContent = text;
    seen.classList.toggle("problem", wrong);
  }
}

function show(html, className = "") {
  if (sounding) sounding.stop();
  keys = {};
  const screen = $("screen");
  screen.className = className;
  screen.innerHTML = html;
  const head = screen.querySelector("h1");
  head.tabIndex = -1;
  head.focus({ preventScroll: true });
  window.scrollTo(0, 0);
  $("says").textContent = "";
}

function progress(part, done, all) {
  $("bar").hidden = !part;
  $("part").textContent = part || "";
  $("count").textContent = part ? `${done + 1} of ${all}` : "";
  const total = drawn.triplets.length + drawn.ratings.length;
  const answered = held.triplets.length + held.ratings.length;
  $("progress").firstElementChild.style.width = (100 * answered) / total + "%";
  $("progress").setAttribute("aria-valuemax", total);
  $("progress").setAttribute("aria-valuenow", answered);
  $("progress").setAttribute("aria-valuetext", part ? `${part}, ${done + 1} of ${all}` : "");
}

// ---- the screens, in their order

function go() {
  remember();
  const { triplets, ratings } = drawn;
  if (held.stopped) return ending();
  if (held.place === 0) return welcome();
  if (held.place === 1) return about();
  if (held.triplets.length < triplets.length) return compare(held.triplets.length);
  if (ratings.length && held.place === 2) return between();
  if (held.ratings.length < ratings.length) return rate(held.ratings.length);
  return ending();
}

function welcome() {
  const minutes = Math.max(1, Math.round((drawn.triplets.length * 14 + drawn.ratings.length * 12) / 60));
  progress(null);
  show(`
    <p class="mark">A listening study</p>
    <h1>What sounds alike to you?</h1>
    <p class="lead">You will hear short sounds and say which of them are alike, and which you like. There are no right
      answers: we want to know what <em>you</em> hear.</p>
    <ol class="steps">
      <li><i>1</i><span>${drawn.triplets.length} times three sounds: which of B and C is more like A?</span></li>
      ${drawn.ratings.length ? `<li><i>2</i><span>${drawn.ratings.length} single sounds: how you like them.</span></li>` : ""}
      <li><i>${drawn.ratings.length ? 3 : 2}</i><span>At the end you save a small file with your answers, and give it to whoever asked you.</span></li>
    </ol>
    <p class="note">About ${minutes} minutes. A quiet place and headphones are best. Nothing leaves this computer unless you
      save it; no name is asked for. You can stop at any time.</p>
    <label class="agree"><input type="checkbox" id="consent"><span>I take part of my own free will, and my anonymous answers
      may be used for research.</span></label>
    <div class="row"><button class="go" id="next" type="button" disabled>Begin</button></div>`);
  $("consent").addEventListener("change", () => { $("next").disabled = !$("consent").checked; });
  $("next").addEventListener("click", () => {
    held.started = new Date().toISOString();
    held.place = 1;
    go();
  });
}

const ABOUT = {
  age: ["Age", "under 18", "18–29", "30–44", "45–59", "60 or over"],
  experience: ["Experience with music or sound", "none in particular", "I play or sing", "I work with sound"],
  listening: ["How you are listening", "headphones", "loudspeakers", "this device's own speaker"],
};

function about() {
  progress(null);
  const field = ([name, [label, ...choices]]) => `<label>${label}<select id="${name}"><option value="">no answer</option>
    ${choices.map((each) => `<option>${each}</option>`).join("")}</select></label>`;
  show(`
    <p class="mark">Before we begin</p>
    <h1>You, and your volume</h1>
    <p class="note">All three questions may be left open.</p>
    <div class="asked">${Object.entries(ABOUT).map(field).join("")}</div>
    <fieldset><legend>Play this sound, and set a comfortable volume. Please leave it there.</legend>
      <div id="try"></div></fieldset>
    <div class="row"><button class="go" id="next" type="button" disabled>Go on</button>
      <span class="note" id="state">Play the sound to its end first.</span></div>`);
  const voice = new Voice(NAMES[0], "♪", () => {
    $("next").disabled = false;
    say("All sounds are as loud as this one.");
  });
  $("try").append(voice.button);
  voice.button.setAttribute("aria-label", "Play a sound to set the volume");
  $("next").addEventListener("click", () => {
    for (const name of Object.keys(ABOUT)) held.about[name] = $(name).value;
    held.place = 2;
    go();
  });
}

function compare(number) {
  const [a, left, right] = drawn.triplets[number];
  const since = performance.now();
  let heardAt = null, chosen = null, queue = [];
  progress("Alike", number, drawn.triplets.length);
  show(`
    <h1>Which is more like <b>A</b>?</h1>
    <div class="sounds" id="sounds"></div>
    <div class="row"><button id="all" type="button">Play all three</button>
      <button class="go" id="next" type="button" disabled>Next</button></div>
    <p class="hint" id="state">Listen to all three first.</p>
    <p class="hint keys"><kbd>space</kbd> plays all · <kbd>A</kbd> <kbd>B</kbd> <kbd>C</kbd> one · <kbd>←</kbd> chooses B ·
      <kbd>→</kbd> chooses C · <kbd>enter</kbd> goes on</p>`, "middle");
  const whenHeard = () => {
    if (heardAt === null && voices.every((each) => each.heard)) {
      heardAt = performance.now();
      for (const each of picks) each.disabled = false;
      say("Now choose. You may listen again as often as you like.");
    }
    const next = queue.shift();
    if (next) next.play();
  };
  const voices = [[a, "A"], [left, "B"], [right, "C"]].map(([name, letter]) => new Voice(name, letter, whenHeard));
  const picks = voices.slice(1).map((voice, side) => {
    const pick = made("button", { type: "button", className: "pick", id: "pick-" + voice.letter, disabled: true });
    pick.textContent = voice.letter + " is more like A";
    pick.setAttribute("aria-pressed", "false");
    pick.addEventListener("click", () => choose(side));
    return pick;
  });
  const cards = voices.map((voice, place) => {
    const card = made("div", { className: place ? "voice" : "voice first" }, voice.button);
    if (place) card.append(picks[place - 1]);
    voice.button.addEventListener("click", (event) => { if (event.isTrusted) queue = []; });
    return card;
  });
  $("sounds").append(...cards);
  function choose(side) {
    if (heardAt === null) return say("Listen to all three first.");
    chosen = side;
    picks.forEach((pick, place) => pick.setAttribute("aria-pressed", String(place === side)));
    cards.slice(1).forEach((card, place) => card.classList.toggle("chosen", place === side));
    $("next").disabled = false;
    say(`${side ? "C" : "B"} is more like A. Next, or choose again.`);
  }
  function all() {
    queue = voices.slice(1);
    voices[0].play();
  }
  function next() {
    if (chosen === null) return;
    const now = performance.now();
    held.triplets.push({
      a, left, right, chosen: chosen ? "right" : "left", plays: voices.map((each) => each.plays),
      heard_s: seconds(heardAt - since), time_s: seconds(now - since),
    });
    go();
  }
  const one = (place) => { queue = []; voices[place].play(); };
  $("all").addEventListener("click", all);
  $("next").addEventListener("click", next);
  keys = { " ": all, a: () => one(0), b: () => one(1), c: () => one(2), ArrowLeft: () => choose(0),
    ArrowRight: () => choose(1), Enter: next };
}

function between() {
  progress(null);
  show(`
    <p class="mark">The second part</p>
    <h1>Now one sound at a time</h1>
    <p class="lead">${drawn.ratings.length} sounds. Imagine each in a room you are in, and use the whole scale from 1 to 7.</p>
    <div class="row"><button class="go" id="next" type="button">Go on</button></div>`);
  const next = () => { held.place = 3; go(); };
  $("next").addEventListener("click", next);
  keys = { Enter: next };
}

const SCALES = {
  interest: ["How <b>interesting</b> is it?", "not at all", "very"],
  room: ["How much would you want to <b>hear it in a room</b>?", "not at all", "very much"],
};

function rate(number) {
  const name = drawn.ratings[number];
  const since = performance.now();
  let heardAt = null;
  progress("One by one", number, drawn.ratings.length);
  const scale = ([key, [question, low, high]]) => `<fieldset id="${key}" disabled><legend>${question}</legend>
    <div class="seven">${[1, 2, 3, 4, 5, 6, 7].map((value) => `<label>${value}<input type="radio" name="${key}"
      value="${value}" aria-label="${value}${value === 1 ? ", " + low : value === 7 ? ", " + high : ""}"></label>`).join("")}</div>
    <div class="ends" aria-hidden="true"><span>${low}</span><span>${high}</span></div></fieldset>`;
  show(`<div class="rating">
    <h1 class="unseen">Sound ${number + 1}</h1>
    <div class="voice" id="one"></div>
    ${Object.entries(SCALES).map(scale).join("")}
    <label class="agree"><input type="checkbox" id="fault" disabled><span>Something is wrong with it: clicks, distortion, a
      drop-out.</span></label>
    <div class="row"><button class="go" id="next" type="button" disabled>Next</button>
      <span class="note" id="state">Listen to it first.</span></div>
    <p class="hint keys"><kbd>space</kbd> plays · <kbd>1</kbd> to <kbd>7</kbd> answers one after the other · <kbd>X</kbd>
      something is wrong · <kbd>enter</kbd> goes on</p></div>`);
  const voice = new Voice(name, "♪", () => {
    if (heardAt !== null) return;
    heardAt = performance.now();
    for (const each of [...Object.keys(SCALES), "fault"]) $(each).disabled = false;
    say("Now answer both questions.");
  });
  $("one").append(voice.button);
  const value = (key) => Number($("screen").querySelector(`input[name=${key}]:checked`)?.value || 0);
  const whole = () => Object.keys(SCALES).every(value);
  $("screen").addEventListener("change", () => {
    if (!$("interest")) return;
    $("next").disabled = !whole();
    if (whole()) say("");
  });
  function digit(given) {
    if (heardAt === null) return say("Listen to it first.");
    const here = document.activeElement?.closest("fieldset")?.id;
    const key = here in SCALES ? here : Object.keys(SCALES).find((each) => !value(each));
    if (!key) return say("Both are answered. Next, or click to change.");
    $("screen").querySelector(`input[name=${key}][value="${given}"]`).click();
  }
  function next() {
    if (!whole()) return;
    held.ratings.push({
      clip: name, interest: value("interest"), room: value("room"), fault: $("fault").checked, plays: voice.plays,
      heard_s: seconds(heardAt - since), time_s: seconds(performance.now() - since),
    });
    go();
  }
  $("next").addEventListener("click", next);
  keys = { " ": () => voice.play(), x: () => $("fault").click(), Enter: next };
  for (let given = 1; given <= 7; given++) keys[given] = () => digit(given);
}

function answers() {
  const whole = held.triplets.length === drawn.triplets.length && held.ratings.length === drawn.ratings.length;
  return JSON.stringify({
    schema: "listening-study-answers", version: 1, study: asked.study, run: asked.run, participant: held.participant,
    seed: held.seed, started: held.started, saved: new Date().toISOString(), complete: whole, about: held.about,
    triplets: held.triplets, ratings: held.ratings,
  }, null, 1);
}

function ending() {
  const text = answers();
  const whole = JSON.parse(text).complete;
  progress(null);
  show(`
    <p class="mark">${whole ? "Done" : "Stopped"}</p>
    <h1>Thank you for listening</h1>
    <p class="lead">${whole ? "All is answered." : "What you have answered so far counts too."} Please save your answers now, and
      give the file to whoever asked you. Nothing has been sent.</p>
    <div class="row"><button class="go" id="save" type="button">Save answers</button>
      <button id="copy" type="button">Copy to clipboard</button>
      ${whole ? "" : '<button id="back" type="button">Go back to the study</button>'}
      <span class="note" id="state"></span></div>
    <details><summary>Show what is saved</summary><textarea id="text" readonly aria-label="Your answers"></textarea></details>
    <div class="row"><button class="plain" id="other" type="button">Someone else wants to listen here</button></div>`);
  $("text").value = text;
  $("save").addEventListener("click", () => {
    const link = made("a", { download: `answers-${held.participant.slice(0, 8)}.json` });
    link.href = URL.createObjectURL(new Blob([text], { type: "application/json" }));
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 60000);
    held.kept = true;
    remember();
    say("Saved, where this browser puts downloads.");
  });
  $("copy").addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(text);
    } catch {
      $("text").closest("details").open = true;
      $("text").select();
      document.execCommand("copy");
    }
    held.kept = true;
    remember();
    say("Copied.");
  });
  if (!whole) $("back").addEventListener("click", () => { held.stopped = false; go(); });
  $("other").addEventListener("click", () => {
    if (!held.kept && held.triplets.length && !confirm("These answers are not saved yet. Forget them?")) return;
    forget();
    held = fresh();
    drawn = plan(held.seed);
    go();
  });
}

function seconds(milliseconds) { return Math.round(milliseconds) / 1000; }

// ---- keyboard: what has the focus keeps its own keys; a button clicked with the mouse doesn't keep the focus

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.repeat) return;
  const tag = event.target.tagName;
  const pressed = event.key.length === 1 ? event.key.toLowerCase() : event.key;
  const again = pressed === "Enter" && event.target.getAttribute("aria-pressed") === "true";
  const own = tag === "SELECT" || tag === "TEXTAREA" || (tag === "BUTTON" && (pressed === " " || pressed === "Enter") && !again)
    || (tag === "INPUT" && (pressed === " " || pressed.startsWith("Arrow")));
  if (own || !keys[pressed]) return;
  event.preventDefault();
  keys[pressed]();
});

document.addEventListener("click", (event) => {
  if (event.detail > 0) event.target.closest?.("button")?.blur();
});
$("stop").addEventListener("click", () => { held.stopped = true; go(); });
window.addEventListener("beforeunload", (event) => {
  if (held.triplets.length && !held.kept && !remembered()) event.preventDefault();
});
go();
