/** Entry of dist/ostree.js, which bin/ostree.js runs. */
export { main } from './ostree/main.ts';
