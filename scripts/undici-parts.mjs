/**
 * An esbuild plugin: of undici only what src/remote/net/transport.ts uses is bundled.
 *
 * The package's index.js loads all of it (fetch, web sockets, caches, mocks) at once, in every thread of a pull: half of the time that
 * undici takes to load.
 */

const CONTENTS = `
const Dispatcher = require('./lib/dispatcher/dispatcher');
Object.assign(Dispatcher.prototype, require('./lib/api')); // proxies are asked for tunnels by it
exports.Agent = require('./lib/dispatcher/agent');
exports.ProxyAgent = require('./lib/dispatcher/proxy-agent');
exports.EnvHttpProxyAgent = require('./lib/dispatcher/env-http-proxy-agent');
`;

export const undiciParts = {
  name: 'undici-parts',
  setup({ onLoad }) {
    onLoad({ filter: /\/node_modules\/undici\/index\.js$/ }, () => ({ contents: CONTENTS, loader: 'js' }));
  },
};
