/** Renders the pictures in docs/charts/. */
import {layoutChart} from './layout.ts'
import {chartedMachines} from './machines.ts'
import {renderMermaid} from './mermaid.ts'
import {toChartModel} from './model.ts'
import {renderSvg} from './svg.ts'

export async function renderChartFiles(): Promise<readonly {readonly name: string; readonly content: string}[]> {
  const files = await Promise.all(
    Object.entries(chartedMachines).map(async ([name, machine]) => {
      const model = toChartModel(machine)
      return [
        {name: `${name}.svg`, content: renderSvg(await layoutChart(model))},
        {name: `${name}.mmd`, content: renderMermaid(model)},
      ]
    }),
  )
  return files.flat()
}
