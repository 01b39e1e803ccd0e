/** Entry of dist/main.js, which bin/hacktree.js runs. */
export { main } from './hacktree/main.ts';
