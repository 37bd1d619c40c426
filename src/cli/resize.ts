import type {Command} from 'commander'
import {parseCount} from './arguments.ts'
import {printJson} from './print.ts'
import {addVerb, withClient} from './verb.ts'

export function addResize(program: Command): void {
  addVerb(program, 'resize', 'set the size of the terminal of a container, in characters')
    .argument('<id>')
    .argument('<columns>', 'characters per line', parseCount)
    .argument('<rows>', 'number of lines', parseCount)
    .option('--exec <exec-id>', 'set the size of the terminal of an exec process')
    .action(async (id: string, columns: number, rows: number, {exec}: {readonly exec?: string}, command: Command) => {
      await withClient(command, async (client, {json, namespace}) => {
        const container = client.container(id, namespace)
        const view = await (exec === undefined ? container : container.process(exec)).resize({columns, rows})
        if (json) printJson(view)
        else console.log(exec ?? id)
      })
    })
}
