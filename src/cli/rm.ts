import type {Command} from 'commander'
import {addVerb, forEachId} from './verb.ts'

export function addRm(program: Command): void {
  addVerb(program, 'rm', 'delete stopped containers, with their logs and journals')
    .argument('<id...>')
    .option('--exec <exec-id>', 'delete an exec process of the container instead')
    .option('-f, --force', 'kill running containers first')
    .action(async (ids: readonly string[], {force = false, exec}: {readonly force?: boolean; readonly exec?: string}, command: Command) => {
      await forEachId(
        command,
        ids,
        (client, id, {namespace}) => {
          const container = client.container(id, namespace)
          return exec === undefined ? container.delete({force}) : container.process(exec).delete()
        },
        ({id}) => exec ?? id,
      )
    })
}
