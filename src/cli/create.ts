import type {Command} from 'commander'
import type {ContainerFlags} from './container-flags.ts'
import {addContainerOptions} from './container-options.ts'
import {toCreateRequest} from './container-request.ts'
import {printLacks, toPrettyJson} from './print.ts'
import {removeContainer} from './remove-container.ts'
import {addVerb, withClient} from './verb.ts'
import {makeOrRemove, watchSignals} from './watch-signals.ts'

export function addCreate(program: Command): void {
  addVerb(program, 'create', 'create a container without starting it, and print its id', addContainerOptions)
    .option('--rm', 'delete the container when it stops')
    .action(async (args: readonly string[], flags: ContainerFlags & {readonly rm?: true}, command: Command) => {
      const signals = watchSignals()
      await withClient(command, async (client, {json, namespace}) => {
        const request = toCreateRequest(flags, args, {namespace, autoRemove: flags.rm === true})
        await makeOrRemove(signals, {
          make: () => client.create(request),
          remove: ({id}) => removeContainer(client.container(id, namespace)),
          finish: async (view, tell) => {
            printLacks(view)
            await tell(json ? toPrettyJson(view) : view.id)
          },
        })
      })
    })
}
