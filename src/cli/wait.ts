import type {Command} from 'commander'
import {toExitStatus} from './exit-codes.ts'
import {printNote} from './print.ts'
import {addVerb, forEachId} from './verb.ts'

export function addWait(program: Command): void {
  addVerb(program, 'wait', 'wait until containers have stopped, and print their exit status (128 + n for signal n)')
    .argument('<id...>')
    .option('--exec <exec-id>', 'wait for an exec process of the container')
    .action(async (ids: readonly string[], {exec}: {readonly exec?: string}, command: Command) => {
      await forEachId(
        command,
        ids,
        async (client, id, {namespace}) => {
          const container = client.container(id, namespace)
          const {exit} = await (exec === undefined ? container.wait() : container.process(exec).wait())
          return {id: exec ?? id, ...(exit && {exit})}
        },
        ({id, exit}) => {
          if (exit?.type === 'lost') printNote(`nobody can know how ${id} ended: ${exit.reason}`)
          return exit && exit.type !== 'lost' ? String(toExitStatus(exit)) : 'lost'
        },
      )
    })
}
