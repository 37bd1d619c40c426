import type {Command} from 'commander'
import type {ProcessView} from '../../machines/views/view.ts'
import {formatAge, formatCommand, formatExit, formatTable} from './format.ts'
import {printJson} from './print.ts'
import {addVerb, withClient} from './verb.ts'

export function addExecs(program: Command): void {
  addVerb(program, 'execs', 'list the exec processes of a container')
    .argument('<id>')
    .action(async (id: string, _flags: unknown, command: Command) => {
      await withClient(command, async (client, {json, namespace}) => {
        const {execs = []} = await client.container(id, namespace).state()
        if (json) printJson(execs)
        else console.log(formatTable(['EXEC', 'COMMAND', 'ADDED', 'STATUS', 'PID'], toRows(execs, Date.now())))
      })
    })
}

function toRows(execs: readonly ProcessView[], now: number): readonly (readonly string[])[] {
  return execs.map((one) => [
    one.exec,
    formatCommand(one.args),
    formatAge(one.addedAt, now),
    formatProcessStatus(one, now),
    String(one.pid ?? '-'),
  ])
}

function formatProcessStatus({state, startedAt, exit, exitedAt, error}: ProcessView, now: number): string {
  if (exit && exitedAt) return `Exited (${formatExit(exit)}) ${formatAge(exitedAt, now)}`
  if (state === 'running' && startedAt) return `Up ${formatAge(startedAt, now).replace(/ ago$/, '')}`
  return `${state[0]?.toUpperCase()}${state.slice(1)}${error ? ` (${error.code})` : ''}`
}
