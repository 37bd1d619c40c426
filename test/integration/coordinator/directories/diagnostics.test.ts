import {closeSync, existsSync, openSync, readFileSync, writeFileSync, writeSync} from 'node:fs'
import {join} from 'node:path'
import {expect, it} from 'vitest'
import {rotateDiagnostics} from '../../../../src/coordinator/directories/diagnostics.ts'
import {silentLogger} from '../../../../src/kernel/log.ts'
import {makeTempDir} from '../../../support/temp-dir.ts'

it('a file of diagnostics that has grown is emptied, also while a process writes it', async () => {
  await using dir = makeTempDir()
  const [large, small] = [join(dir.path, 'large.log'), join(dir.path, 'small.log')]
  const fd = openSync(large, 'a')
  writeSync(fd, 'eleven bytes'.slice(0, 11))
  writeFileSync(small, 'ten bytes.')
  rotateDiagnostics([large, small, join(dir.path, 'none.log')], 10, silentLogger)
  writeSync(fd, 'more')
  closeSync(fd)
  expect(readFileSync(large, 'utf8')).toBe('more')
  expect(readFileSync(`${large}.1`, 'utf8')).toBe('eleven byte')
  expect(readFileSync(small, 'utf8')).toBe('ten bytes.')
  expect(existsSync(`${small}.1`)).toBe(false)
})
