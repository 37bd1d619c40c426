import {expect, it} from 'vitest'
import {createShimStdios} from '../../../src/stdio/shim-stdio.ts'
import {makeTempDir} from '../../support/temp-dir.ts'

it('streams that this process cannot open are not left at the shim, where the next supervisor would find them', async () => {
  await using dir = makeTempDir()
  const asked: [string, number][] = []
  const stdios = createShimStdios({
    shim: {
      held: {stdios: []} as never,
      call: (async (name: string, {stdio}: {readonly stdio: number}) => {
        asked.push([name, stdio])
        // No FIFOs are made.
        return {consoleSocket: '', position: 0, stdout: 0, stderr: 0}
      }) as never,
    },
    listenToGrowths: () => {},
  })
  const options = {name: 'init', dir: dir.path, logFile: `${dir.path}/log`, stdin: true, terminal: false, onGrew: () => {}}
  await expect(stdios.open(options)).rejects.toThrow(/cannot open the streams/)
  expect(asked).toEqual([
    ['open', 1],
    ['close', 1],
  ])
})
