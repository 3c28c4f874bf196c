/** What runs, and how far it is: shown where a command takes longer than a moment. */

const place = document.getElementById('working');
let runs = 0;

/** A command that runs now: `told` says how far it is, and `done` that it is over. */
export function working() {
  runs++;
  show('working…');
  return {
    told: ({ label, done, total }) => show(`${label}: ${count(done)}${total ? ` of ${count(total)}` : ''}`),
    done: () => {
      place.hidden = --runs === 0;
    },
  };
}

function show(text) {
  place.hidden = false;
  place.textContent = text;
}

/** As in 283,616. */
export function count(number) {
  return number.toLocaleString('en');
}
