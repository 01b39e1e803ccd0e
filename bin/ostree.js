#!/usr/bin/env node
const { main } = require('../dist/ostree.js');

main();
