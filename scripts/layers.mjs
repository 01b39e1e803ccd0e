/**
 * Checks who imports whom: the rules of .dependency-cruiser.cjs, and that each package below has one door, a single file
 * of src/ that imports it. Exits 1 and prints each violation.
 */
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { cruise } from 'dependency-cruiser';

const ONE_DOOR = ['isomorphic-git', 'openpgp', 'tar-stream', 'undici'];

process.chdir(join(import.meta.dirname, '..'));
const { forbidden, options } = createRequire(import.meta.url)('../.dependency-cruiser.cjs');
const { enhancedResolveOptions, ...cruiseOptions } = options;
const folders = ['src', 'test', 'bench', 'bin'].filter((folder) => existsSync(folder));
const { output } = await cruise(folders, { ...cruiseOptions, validate: true, ruleSet: { forbidden } }, enhancedResolveOptions);

const messages = output.summary.violations.map(({ rule, from, to, cycle }) => {
  const { comment } = forbidden.find(({ name }) => name === rule.name);
  return `${rule.name}: ${from} -> ${cycle === undefined ? to : cycle.map(({ name }) => name).join(' -> ')}\n    ${comment}`;
});
const sources = output.modules.filter(({ source }) => source.startsWith('src/'));
for (const name of ONE_DOOR) {
  const isIt = ({ resolved, module }) => module === name || new RegExp(`(^|/)node_modules/${name}/`).test(resolved);
  const namesIt = (source) => readFileSync(source, 'utf8').includes(`import('${name}`); // as a type argument swc leaves it out
  const doors = sources.filter(({ source, dependencies }) => dependencies.some(isIt) || namesIt(source));
  if (doors.length > 1) messages.push(`one-door: ${name} is imported by ${doors.map(({ source }) => source).join(' and ')}`);
}
if (sources.length === 0) messages.push('no sources were read: the layer check sees nothing');
for (const message of messages) console.error(message);
console.log(`${sources.length} files of src/, ${output.summary.totalDependenciesCruised} imports, ${messages.length} violations`);
process.exitCode = messages.length === 0 ? 0 : 1;
