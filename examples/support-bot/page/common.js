// What both pages use.

/** Says what went wrong. */
export function report({ message }) {
  const problem = document.getElementById("problem");
  problem.textContent = message;
  problem.hidden = false;
}

export function element(name, properties, ...children) {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...children);
  return made;
}
