import {resolve} from 'node:path'
import type {Command} from 'commander'
import {addCriuOptions, type CriuFlags, toCriuOptions} from './criu-options.ts'
import {printJson} from './print.ts'
import {addVerb, withClient} from './verb.ts'

export function addCheckpoint(program: Command): void {
  addVerb(program, 'checkpoint', 'write the processes of a container to a directory of the node, for restore', addCriuOptions)
    .argument('<id>')
    .argument('<directory>', 'directory to write to: empty, or not there yet')
    .option('--leave-running', 'let the container continue to run; by default it ends with the checkpoint')
    .action(async (id: string, directory: string, flags: CriuFlags & {readonly leaveRunning?: true}, command: Command) => {
      await withClient(command, async (client, {json, namespace}) => {
        const checkpoint = {image: resolve(directory), leaveRunning: flags.leaveRunning === true, ...toCriuOptions(flags)}
        const view = await client.container(id, namespace).checkpoint(checkpoint)
        if (json) printJson(view)
        else console.log(view.checkpoint?.image)
      })
    })
}
