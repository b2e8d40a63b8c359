/* Hover terms, solutions that open on demand, and search that works from a file on disk. */
"use strict";

// A page opened from disk may not fetch other pages, so search shows titles only there.
if (location.protocol === "file:" && typeof DOCUMENTATION_OPTIONS !== "undefined") {
  DOCUMENTATION_OPTIONS.SHOW_SEARCH_SUMMARY = false;
}

function bookTerms() {
  const terms = window.MINILLM_TERMS || {};
  const tip = document.createElement("div");
  tip.id = "book-tip";
  tip.setAttribute("role", "tooltip");
  tip.hidden = true;
  document.body.append(tip);
  let owner = null;
  let timer = 0;

  const hide = () => {
    clearTimeout(timer);
    tip.hidden = true;
    if (owner) owner.removeAttribute("aria-describedby");
    owner = null;
  };
  const later = () => { clearTimeout(timer); timer = setTimeout(hide, 250); };
  const part = (tag, text, kind) => {
    const element = document.createElement(tag);
    element.textContent = text;
    if (kind) { element.className = kind; element.lang = "zh"; }
    return element;
  };
  const show = (link) => {
    clearTimeout(timer);
    if (owner === link) return;
    hide();
    const [name, chinese, text] = terms[link.dataset.term];
    tip.replaceChildren(part("b", name), part("span", chinese, "zh"), part("p", text));
    tip.hidden = false;
    owner = link;
    link.setAttribute("aria-describedby", "book-tip");
    const box = link.getClientRects()[0] || link.getBoundingClientRect();
    const left = Math.min(box.left, document.documentElement.clientWidth - tip.offsetWidth - 12);
    const above = box.top - tip.offsetHeight - 6;
    const below = box.bottom + 6;
    const top = below + tip.offsetHeight > innerHeight && above > 60 ? above : below;
    tip.style.left = `${Math.max(12, left) + scrollX}px`;
    tip.style.top = `${top + scrollY}px`;
  };

  for (const link of document.querySelectorAll('.bd-article a[href*="#term-"]')) {
    const id = decodeURIComponent(link.hash.slice(1));
    if (!terms[id] || link.classList.contains("headerlink")) continue;
    link.dataset.term = id;
    link.classList.add("book-term");
    link.addEventListener("pointerenter", (event) => event.pointerType === "mouse" && show(link));
    link.addEventListener("pointerleave", (event) => event.pointerType === "mouse" && later());
    link.addEventListener("focus", () => show(link));
    link.addEventListener("blur", later);
    // The first touch shows the definition, the second follows the link.
    let touched = false;
    link.addEventListener("pointerdown", (event) => {
      touched = event.pointerType === "touch" && owner !== link;
    });
    link.addEventListener("click", (event) => {
      if (touched) { event.preventDefault(); show(link); }
      touched = false;
    });
  }
  tip.addEventListener("pointerenter", () => clearTimeout(timer));
  tip.addEventListener("pointerleave", later);
  document.addEventListener("keydown", (event) => event.key === "Escape" && hide());
  document.addEventListener("pointerdown", (event) => {
    if (owner && !tip.contains(event.target) && !owner.contains(event.target)) hide();
  });
}

// A formula wider than the page is drawn smaller, as far as it can be read.
function fitFormulas() {
  for (const formula of document.querySelectorAll('mjx-container[display="true"]')) {
    const box = formula.parentElement;
    box.style.fontSize = "";
    // Its number needs room as well, so that a second look may find it still too wide.
    for (let size = 100; formula.scrollWidth > formula.clientWidth && size > 55; ) {
      size = Math.min(size - 2, Math.floor((size * formula.clientWidth) / formula.scrollWidth));
      box.style.fontSize = `${size}%`;
    }
  }
}

// Formulas are not prose: the search shows its excerpts without their source.
function readableExcerpts() {
  if (typeof Search === "undefined") return;
  const textOf = Search.htmlToText;
  Search.htmlToText = (html, anchor) => textOf(
    html.replace(/<(span|div) class="math[^>]*>[^]*?<\/\1>/g, "…"), anchor);
}

// The theme marks sections by how much of them is in sight, and so a wrong one on long pages.
function markSection() {
  document.body.removeAttribute("data-bs-spy");
  const pairs = [];
  for (const link of document.querySelectorAll(".bd-sidebar-secondary nav a[href^='#']")) {
    const section = document.getElementById(decodeURIComponent(link.hash.slice(1)));
    if (section) pairs.push([section, link]);
  }
  let waiting = false;
  const mark = () => {
    waiting = false;
    let here = null;
    for (const [section, link] of pairs) {
      if (section.getBoundingClientRect().top < innerHeight / 3) here = link;
    }
    for (const [, link] of pairs) {
      link.classList.toggle("active", link === here);
      if (link === here) link.setAttribute("aria-current", "true");
      else link.removeAttribute("aria-current");
    }
  };
  addEventListener("scroll", () => {
    if (!waiting) requestAnimationFrame(mark);
    waiting = true;
  }, { passive: true });
  mark();
}

function start() {
  markSection();
  bookTerms();
  readableExcerpts();
  if (typeof MathJax !== "undefined") {
    const ready = () => (MathJax.startup?.promise ? MathJax.startup.promise.then(fitFormulas)
      : setTimeout(ready, 50));
    ready();
    window.addEventListener("resize", fitFormulas);
  }
}

if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", start);
else start();
