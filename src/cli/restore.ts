import {resolve} from 'node:path'
import type {Command} from 'commander'
import {addCriuOptions, type CriuFlags, toCriuOptions} from './criu-options.ts'
import {toPrettyJson} from './print.ts'
import {addVerb, withClient} from './verb.ts'
import {makeOrRemove, watchSignals} from './watch-signals.ts'

interface RestoreFlags extends CriuFlags {
  readonly name?: string
  readonly rm?: true
}

export function addRestore(program: Command): void {
  addVerb(program, 'restore', 'make a container from a checkpoint and let it go on from there; prints its id', addCriuOptions)
    .argument('<directory>', 'that a checkpoint has written, on the node')
    .option('--name <id>', 'its id (default: a new one)')
    .option('--rm', 'delete it, by itself, once it has stopped')
    .action(async (directory: string, flags: RestoreFlags, command: Command) => {
      const signals = watchSignals()
      await withClient(command, async (client, {json, namespace}) => {
        const {name, rm} = flags
        const id = name === undefined ? {} : {id: name}
        const request = {image: resolve(directory), namespace, autoRemove: rm === true, ...id, ...toCriuOptions(flags)}
        await makeOrRemove(signals, {
          make: () => client.restore(request),
          remove: (made) => client.container(made.id, namespace).delete({force: true}),
          finish: async (made, tell) => {
            const view = await client.container(made.id, namespace).start()
            signals.check()
            await tell(json ? toPrettyJson(view) : view.id)
          },
        })
      })
    })
}
