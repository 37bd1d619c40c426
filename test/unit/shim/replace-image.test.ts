import {chmodSync, writeFileSync} from 'node:fs'
import {join} from 'node:path'
import {expect, it} from 'vitest'
import {replaceImage} from '../../../src/shim/client/replace-image.ts'
import {makeTempDir} from '../../support/temp-dir.ts'

/** A process whose image is no shim: what it would hand over is not known. */
const {pid} = process

function watch() {
  const asked: string[] = []
  return {asked, control: {upgrade: async (image: string) => void asked.push(image)}}
}

it('asks for nothing when the process runs that file already', async () => {
  const {asked, control} = watch()
  expect(await replaceImage(control, {pid, image: process.execPath})).toEqual({type: 'current'})
  expect(asked).toEqual([])
})

it('refuses what is no shim', async () => {
  const {asked, control} = watch()
  expect(await replaceImage(control, {pid, image: '/bin/true'})).toEqual({
    type: 'refused',
    why: '/bin/true is no shim, or cannot be executed',
  })
  expect(asked).toEqual([])
})

it('refuses an image that may not read what the present one hands over', async () => {
  await using dir = makeTempDir()
  const image = join(dir.path, 'tally-shim')
  writeFileSync(image, '#!/bin/sh\necho tally-shim protocol 1 state 1 features 1\n')
  chmodSync(image, 0o755)
  const {asked, control} = watch()
  expect(await replaceImage(control, {pid, image})).toEqual({
    type: 'refused',
    why: `the shim that runs hands over state unknown, and ${image} reads up to 1`,
  })
  expect(asked).toEqual([])
})
