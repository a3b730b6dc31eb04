"use strict";

// A clip with its button. One sounds at a time; `say` tells the listener what can't be played.

const urls = new Map();
let sounding = null;

function url(name) {
  if (!urls.has(name)) {
    const bytes = Uint8Array.from(atob(asked.clips[name]), (each) => each.charCodeAt(0));
    urls.set(name, URL.createObjectURL(new Blob([bytes], { type: "audio/wav" })));
  }
  return urls.get(name);
}

class Voice { // a clip with its button; `whenHeard` is called each time it was heard to its end
  constructor(name, letter, whenHeard) {
    this.audio = new Audio(url(name));
    this.letter = letter;
    this.plays = 0;
    this.heard = false;
    this.button = made("button", { type: "button", className: "play", id: "play-" + letter });
    this.button.innerHTML = '<svg viewBox="0 0 36 36" aria-hidden="true"><circle class="track" cx="18" cy="18" r="15.9155"/>'
      + '<circle class="run" cx="18" cy="18" r="15.9155"/></svg><span class="letter"></span><span class="mute"></span>';
    this.button.querySelector(".letter").textContent = letter;
    this.button.addEventListener("click", () => (sounding === this ? this.stop() : this.play()));
    this.audio.addEventListener("ended", () => {
      this.heard = true;
      this.plays += 1;
      this.stop();
      whenHeard(this);
    });
    this.audio.addEventListener("error", () => say("This browser can't play the sound. Please try another one.", true));
    this.show();
  }

  play() {
    if (sounding) sounding.stop();
    sounding = this;
    this.audio.currentTime = 0;
    this.audio.play().catch((error) => {
      if (error.name !== "AbortError") say("The sound could not be played: " + error.message, true);
    });
    this.show();
    const draw = () => {
      if (sounding !== this) return;
      const share = this.audio.duration ? this.audio.currentTime / this.audio.duration : 0;
      this.button.querySelector(".run").style.strokeDashoffset = 100 - 100 * share;
      requestAnimationFrame(draw);
    };
    draw();
  }

  stop() {
    this.audio.pause();
    if (sounding === this) sounding = null;
    this.button.querySelector(".run").style.strokeDashoffset = 100;
    this.show();
  }

  show() {
    const now = sounding === this;
    this.button.classList.toggle("sounding", now);
    this.button.classList.toggle("heard", this.heard);
    this.button.querySelector(".mute").textContent = now ? "playing" : this.heard ? "again" : "play";
    this.button.setAttribute("aria-label", `${now ? "Stop" : "Play"} sound ${this.letter}${this.heard ? ", heard" : ""}`);
  }
}
