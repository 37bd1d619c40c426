import type {Command} from 'commander'
import {parseSignalName} from './arguments.ts'
import {addVerb, forEachId} from './verb.ts'

export function addKill(program: Command): void {
  addVerb(program, 'kill', 'send a signal to containers; returns when it has been sent')
    .argument('<id...>')
    .option('-s, --signal <signal>', 'name or number (default: SIGKILL)', parseSignalName)
    .option('-a, --all', 'to every process of the container, not to init alone')
    .action(async (ids: readonly string[], {signal, all = false}: {readonly signal?: string; readonly all?: boolean}, command: Command) => {
      await forEachId(
        command,
        ids,
        (client, id, {namespace}) => client.container(id, namespace).kill(signal, {all}),
        ({id}) => id,
      )
    })
}
