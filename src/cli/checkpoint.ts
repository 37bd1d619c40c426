import {resolve} from 'node:path'
import type {Command} from 'commander'
import {addCriuOptions, type CriuFlags, toCriuOptions} from './criu-options.ts'
import {printJson} from './print.ts'
import {addVerb, withClient} from './verb.ts'

export function addCheckpoint(program: Command): void {
  addVerb(program, 'checkpoint', "write a container's processes to a directory of the node, to restore it from there", addCriuOptions)
    .argument('<id>')
    .argument('<directory>', 'empty, or yet to be made')
    .option('--leave-running', 'it goes on; without, it ends with the checkpoint')
    .action(async (id: string, directory: string, flags: CriuFlags & {readonly leaveRunning?: true}, command: Command) => {
      await withClient(command, async (client, {json, namespace}) => {
        const checkpoint = {image: resolve(directory), leaveRunning: flags.leaveRunning === true, ...toCriuOptions(flags)}
        const view = await client.container(id, namespace).checkpoint(checkpoint)
        if (json) printJson(view)
        else console.log(view.checkpoint?.image)
      })
    })
}
