// Chapters come before the glossary and the reference of the package.
var Scorer = {
  score: ([docname, title, anchor, descr, score]) =>
    docname.startsWith("notebooks/") ? score + 40 : docname.startsWith("book/api") ? score - 20 : score,
  objNameMatch: 11,
  objPartialMatch: 6,
  objPrio: { 0: 15, 1: 5, 2: -5 },
  objPrioDefault: 0,
  title: 15,
  partialTitle: 7,
  term: 5,
  partialTerm: 2,
};
