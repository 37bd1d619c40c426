import type {Command} from 'commander'
import {parseSignalName} from './arguments.ts'
import {addVerb, forEachId} from './verb.ts'

interface KillFlags {
  readonly signal?: string
  readonly all?: boolean
  readonly exec?: string
}

export function addKill(program: Command): void {
  addVerb(program, 'kill', 'send a signal to containers')
    .argument('<id...>')
    .option('-s, --signal <signal>', 'name or number of the signal (default: SIGKILL)', parseSignalName)
    .option('--exec <exec-id>', 'send the signal to an exec process of the container')
    .option('-a, --all', 'send the signal to every process of the container; with --exec, to the process group')
    .action(async (ids: readonly string[], {signal, all = false, exec}: KillFlags, command: Command) => {
      await forEachId(
        command,
        ids,
        async (client, id, {namespace}) => {
          const container = client.container(id, namespace)
          return exec === undefined ? await container.kill(signal, {all}) : await container.process(exec).kill(signal, {all})
        },
        (view) => ('exec' in view ? view.exec : view.id),
      )
    })
}
