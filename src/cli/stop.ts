import type {Command} from 'commander'
import {parseSignalName} from './arguments.ts'
import {parseDuration} from './times.ts'
import {addVerb, forEachId} from './verb.ts'

interface StopFlags {
  readonly signal?: string
  readonly time?: number
}

export function addStop(program: Command): void {
  addVerb(program, 'stop', 'send containers a signal to end, SIGKILL after a grace period, and wait until they have stopped')
    .argument('<id...>')
    .option('-t, --time <duration>', 'time before SIGKILL, such as 10 or 1m30s (default: 10s)', parseDuration)
    .option('-s, --signal <signal>', 'signal to send first (default: SIGTERM)', parseSignalName)
    .action(async (ids: readonly string[], {signal, time}: StopFlags, command: Command) => {
      const how = {...(signal !== undefined && {signal}), ...(time !== undefined && {graceMs: time})}
      await forEachId(
        command,
        ids,
        (client, id, {namespace}) => client.container(id, namespace).stop(how),
        ({id}) => id,
      )
    })
}
