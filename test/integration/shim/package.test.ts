/** What the packed package has for the other processor: compiled as `npm pack` does it, and run in an emulator. */
import {execFileSync} from 'node:child_process'
import {readFileSync} from 'node:fs'
import {join, resolve} from 'node:path'
import {expect, test} from 'vitest'
import {makeTempDir} from '../../support/temp-dir.ts'

const root = resolve(import.meta.dirname, '../../..')
/** Machine numbers of ELF headers (elf(5)), and the names that emulators have. */
const processors = {
  arm64: {machine: 183, emulator: 'qemu-aarch64-static'},
  x64: {machine: 62, emulator: 'qemu-x86_64-static'},
} as const
const other = process.arch === 'x64' ? 'arm64' : 'x64'
const {machine, emulator} = processors[other]

test(`the shim for ${other} is static, is this version, and passes its tests`, async () => {
  await using out = makeTempDir()
  execFileSync('sh', ['scripts/package-shim.sh', '--test'], {cwd: root, env: {...process.env, SHIM_OUT: out.path}, stdio: 'pipe'})
  const shim = join(out.path, other, 'tally-shim')
  const program = readFileSync(shim)
  expect(program.subarray(1, 4).toString()).toBe('ELF')
  expect(program.readUInt16LE(18)).toBe(machine)
  expect(program.includes('/ld-')).toBe(false)
  expect(program.length).toBeLessThan(200_000)
  const version = (command: string, args: readonly string[]) => execFileSync(command, [...args, '--version'], {encoding: 'utf8'})
  expect(version(emulator, [shim])).toBe(version(join(root, 'dist', process.arch, 'tally-shim'), []))
  expect(execFileSync(emulator, [`${shim}-tests`], {encoding: 'utf8'})).toBe('')
})
