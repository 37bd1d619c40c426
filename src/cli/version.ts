import type {Command} from 'commander'
import {version} from '../kernel/version.ts'
import {printJson} from './print.ts'
import {addVerb} from './verb.ts'

export function addVersion(program: Command): void {
  addVerb(program, 'version', 'show the version of tally').action((_flags: unknown, command: Command) => {
    if (command.optsWithGlobals()['json']) printJson({version, nodeVersion: process.version})
    else console.log(`tally ${version} (Node.js ${process.version})`)
  })
}
