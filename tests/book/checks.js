// Questions a test asks a page of the book, as functions of one object.
({
  // Texts whose contrast with what lies behind them is below 4 (WCAG asks 4.5; edges are blurred).
  contrast() {
    const channel = (c) => (c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
    const light = ([r, g, b]) => 0.2126 * channel(r) + 0.7152 * channel(g) + 0.0722 * channel(b);
    const parse = (text) => {
      const numbers = text.match(/\(([^)]*)\)/)[1].match(/[\d.]+(e-?\d+)?/g).map(Number);
      const unit = text.startsWith("color(") ? 1 : 255;
      return [...numbers.slice(0, 3).map((n) => n / unit), numbers[3] ?? 1];
    };
    const over = (top, below) => [0, 1, 2].map((i) => top[i] * top[3] + below[i] * (1 - top[3]));
    const ancestors = (element) => {
      const found = [];
      for (let e = element; e; e = e.parentElement) found.push(getComputedStyle(e));
      return found;
    };
    const bad = new Set();
    const root = document.querySelector(".bd-article");
    const walker = document.createTreeWalker(root || document.head, NodeFilter.SHOW_TEXT);
    while (root && walker.nextNode()) {
      const text = walker.currentNode.textContent.trim();
      const element = walker.currentNode.parentElement;
      const left = "svg, mjx-container, .headerlink, button, script, style, noscript";
      if (!text || !element.checkVisibility() || element.closest(left)) continue;
      const styles = ancestors(element);
      const below = styles.map((s) => parse(s.backgroundColor))
        .reduceRight((behind, top) => over(top, behind), [1, 1, 1]);
      const ink = parse(styles[0].color);
      ink[3] *= styles.reduce((product, s) => product * Number(s.opacity), 1);
      const [a, b] = [light(over(ink, below)), light(below)].sort((x, y) => y - x);
      const ratio = (a + 0.05) / (b + 0.05);
      const name = `${element.tagName}.${element.className}`;
      if (ratio < 4) bad.add(`${ratio.toFixed(2)}: ${name} ${text.slice(0, 40)}`);
    }
    return [...bad].slice(0, 12);
  },

  // Elements that stick out of the screen and do not scroll inside a box of their own.
  wider() {
    const scrolls = (element) => {
      for (let e = element.parentElement; e && e !== document.body; e = e.parentElement) {
        if (getComputedStyle(e).overflowX !== "visible") return true;
      }
      return false;
    };
    const out = (e) => e.checkVisibility() && e.getBoundingClientRect().right > innerWidth + 1;
    return [...document.querySelectorAll(".bd-article *")].filter((e) => out(e) && !scrolls(e))
      .map((e) => `${e.tagName}.${e.className} ${e.textContent.trim().slice(0, 40)}`).slice(0, 8);
  },

  // What is cut at the edge of its box: all that hides or scrolls sideways more than it shows, except
  // tables and drawings in a group that can be reached with the keyboard and shadows its edges.
  cut() {
    const may = (e) => e.closest('div[role="group"][tabindex="0"], .pst-scrollable-table-container');
    const cue = (e) => getComputedStyle(e).backgroundImage.includes("gradient");
    const hides = (e) => e.scrollWidth > e.clientWidth + 1 && e.clientWidth > 0
      && getComputedStyle(e).overflowX !== "visible";
    const all = [...document.querySelectorAll(".bd-article, .bd-article *")];
    return all.filter((e) => e.checkVisibility() && hides(e)
        && !e.closest("mjx-container :not(mjx-container), button, svg, .visually-hidden") && !(may(e) && cue(may(e))))
      .map((e) => `${e.tagName}.${e.className} ${e.scrollWidth} > ${e.clientWidth}: `
        + e.textContent.trim().slice(0, 50)).slice(0, 8);
  },

  // Text that leaves its drawing at a side.
  outside() {
    const all = [...document.querySelectorAll(".bd-article svg:not(mjx-container svg) text")];
    return all.filter((t) => {
      const [text, drawing] = [t, t.ownerSVGElement].map((e) => e.getBoundingClientRect());
      const room = getComputedStyle(t.ownerSVGElement).overflow === "visible" ? 14 : 2;  // its margin
      return t.checkVisibility()
        && (text.right > drawing.right + room || text.left < drawing.left - room);
    }).map((t) => t.textContent).slice(0, 8);
  },

  // Text of drawings smaller than 10 pixels.
  small() {
    const height = (t) => {
      const { c, d } = t.getScreenCTM();
      return parseFloat(getComputedStyle(t).fontSize) * Math.hypot(c, d);
    };
    const all = [...document.querySelectorAll(".bd-article svg:not(mjx-container svg) text")];
    return all.filter((t) => t.checkVisibility() && height(t) < 9.9)
      .map((t) => `${height(t).toFixed(1)}: ${t.textContent}`).slice(0, 8);
  },

  // Displayed formulas drawn smaller than 11 pixels to fit the page.
  tiny() {
    const size = (e) => parseFloat(getComputedStyle(e).fontSize);
    return [...document.querySelectorAll('.bd-article mjx-container[display="true"]')]
      .filter((e) => e.checkVisibility() && size(e) < 11)
      .map((e) => `${size(e)}: ${e.textContent.slice(0, 40)}`).slice(0, 8);
  },

  // Tables that scroll sideways and lose the cells of their first column on the way.
  leaving() {
    const boxes = [...document.querySelectorAll('.bd-article div[role="group"]:has(> table)')];
    return boxes.filter((box) => box.scrollWidth > box.clientWidth + 1).filter((box) => {
      box.scrollLeft = box.scrollWidth;
      const edge = box.getBoundingClientRect().left;
      const first = [...box.querySelectorAll("tbody tr > :first-child:not([colspan])")];
      const left = first.some((cell) => Math.abs(cell.getBoundingClientRect().left - edge) > 3);
      box.scrollLeft = 0;
      return left;
    }).map((box) => box.textContent.trim().slice(0, 40)).slice(0, 8);
  },

  // Chinese text that does not say that it is Chinese.
  unmarked() {
    const walker = document.createTreeWalker(document.querySelector(".bd-article") || document.head,
      NodeFilter.SHOW_TEXT);
    const found = [];
    while (walker.nextNode()) {
      const { parentElement, textContent } = walker.currentNode;
      const left = parentElement.closest("script, style, title, mjx-container");
      if (/[\u4e00-\u9fff]/.test(textContent) && !left && parentElement.closest("[lang]").getAttribute("lang") !== "zh")
        found.push(textContent.trim().slice(0, 40));
    }
    return found.slice(0, 8);
  },

  // Open every solution and dropdown, so that what they hide is looked at too.
  open() {
    document.querySelectorAll("details").forEach((e) => { e.open = true; });
    document.querySelectorAll(".toggle-hidden").forEach((e) => e.classList.remove("toggle-hidden"));
  },

  width() {
    return Math.max(document.documentElement.scrollWidth, document.body.scrollWidth);
  },

  // SVG figures without a name for those who do not see them.
  nameless() {
    const named = (s) => s.getAttribute("aria-label") || s.getAttribute("aria-labelledby");
    const left = "mjx-container, button, summary";
    return [...document.querySelectorAll(".bd-article svg:not([aria-hidden=true])")]
      .filter((s) => !s.closest(left) && !named(s)).length;
  },

  // [address, loaded, alt text] of every picture.
  pictures() {
    return [...document.images].map((i) =>
      [i.currentSrc.slice(0, 99), i.complete && i.naturalWidth > 0, (i.alt || "").trim()]);
  },

  // [formulas in the source, formulas drawn, formulas with mistakes, raw formulas left in text]
  mathematics() {
    const count = (selector) => document.querySelectorAll(selector).length;
    const text = [...document.querySelectorAll(".bd-article :is(p, li, td, figcaption)")]
      .map((e) => e.innerText).join(" ");
    return [count(".math"), count(".math mjx-container"), count("mjx-merror"), /\\[([]/.test(text)];
  },

  // All ids and all addresses linked.
  links() {
    return {
      ids: [...document.querySelectorAll("[id]")].map((e) => e.id),
      links: [...document.querySelectorAll("a[href]")].map((a) => a.href),
    };
  },
})
