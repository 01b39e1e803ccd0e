#!/usr/bin/env node
import { main } from '../dist/ostree.js';

await main();
