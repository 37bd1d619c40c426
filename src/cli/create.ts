import type {Command} from 'commander'
import {addContainerOptions, type ContainerFlags, toCreateRequest} from './container-options.ts'
import {printJson, printLacks} from './print.ts'
import {addVerb, withClient} from './verb.ts'

export function addCreate(program: Command): void {
  addVerb(program, 'create', 'make a container, to be started later; prints its id', addContainerOptions)
    .option('--rm', 'delete it, by itself, once it has stopped')
    .action(async (args: readonly string[], flags: ContainerFlags & {readonly rm?: true}, command: Command) => {
      await withClient(command, async (client, {json, namespace}) => {
        const view = await client.create(toCreateRequest(flags, args, {namespace, autoRemove: flags.rm === true}))
        printLacks(view)
        if (json) printJson(view)
        else console.log(view.id)
      })
    })
}
