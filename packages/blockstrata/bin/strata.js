#!/usr/bin/env node
import "@blockstrata/cli/main"
