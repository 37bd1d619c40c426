import {closeSync, constants, mkdirSync, openSync, readSync, rmSync, writeSync} from 'node:fs'
import {join} from 'node:path'
import {expect, it} from 'vitest'
import {createOpenPipes} from '../../../../src/coordinator/supervision/open-pipes.ts'
import {makeFifo} from '../../../../src/linux/fifo.ts'
import {makeTempDir} from '../../../support/temp-dir.ts'

/** A process that writes, and is gone with what it had open. */
function writeAndEnd(path: string, text: string): void {
  const fd = openSync(path, constants.O_RDWR | constants.O_NONBLOCK)
  writeSync(fd, text)
  closeSync(fd)
}

function readNow(path: string): string {
  const fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK)
  const bytes = Buffer.alloc(100)
  const count = readSync(fd, bytes)
  closeSync(fd)
  return bytes.subarray(0, count).toString()
}

it('what waits in a pipe that is kept open stays, also in that of a process whose id another had before', async () => {
  await using dir = makeTempDir()
  const place = {dir: join(dir.path, 'io'), hasEnded: false, takesInput: false}
  const path = join(place.dir, 'stdout')
  const pipes = createOpenPipes()
  for (const text of ['one', 'another']) {
    mkdirSync(place.dir)
    makeFifo(path, 0o600)
    pipes.open([place])
    writeAndEnd(path, text)
    expect(readNow(path)).toBe(text)
    rmSync(place.dir, {recursive: true})
  }
  pipes.closeOthers([])
})
