import {resolve} from 'node:path'
import type {Command} from 'commander'
import {addCriuOptions, type CriuFlags, toCriuOptions} from './criu-options.ts'
import {toPrettyJson} from './print.ts'
import {removeContainer} from './remove-container.ts'
import {addVerb, withClient} from './verb.ts'
import {makeOrRemove, watchSignals} from './watch-signals.ts'

interface RestoreFlags extends CriuFlags {
  readonly name?: string
  readonly rm?: true
}

export function addRestore(program: Command): void {
  addVerb(program, 'restore', 'create a container from a checkpoint, start it, and print its id', addCriuOptions)
    .argument('<directory>', 'directory of the checkpoint, on the node')
    .option('--name <id>', 'id of the container (default: a random one)')
    .option('--rm', 'delete the container when it stops')
    .action(async (directory: string, flags: RestoreFlags, command: Command) => {
      const signals = watchSignals()
      await withClient(command, async (client, {json, namespace}) => {
        const {name, rm} = flags
        const id = name === undefined ? {} : {id: name}
        const request = {image: resolve(directory), namespace, autoRemove: rm === true, ...id, ...toCriuOptions(flags)}
        await makeOrRemove(signals, {
          make: () => client.restore(request),
          remove: ({id}) => removeContainer(client.container(id, namespace)),
          finish: async (made, tell) => {
            const view = await client.container(made.id, namespace).start()
            signals.check()
            await tell(json ? toPrettyJson(view) : view.id)
          },
        })
      })
    })
}
