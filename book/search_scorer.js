// Chapters come before the glossary, and the glossary before the reference of the package.
var Scorer = {
  score: ([docname, title, anchor, descr, score]) => {
    if (docname.startsWith("notebooks/")) return score + 200;
    return docname.startsWith("book/api") ? score - 100 : score;
  },
  objNameMatch: 11,
  objPartialMatch: 6,
  objPrio: { 0: 15, 1: 5, 2: -5 },
  objPrioDefault: 0,
  title: 15,
  partialTitle: 7,
  term: 5,
  partialTerm: 2,
};
