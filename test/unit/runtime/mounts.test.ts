import {describe, expect, it} from 'vitest'
import type {Mount} from '../../../machines/schemas/create-request.ts'
import {assertDifferentPlaces, toOciMounts} from '../../../src/runtime/spec/mounts.ts'

const bind = (target: string): Mount => ({type: 'bind', source: '/srv', target})
const tmpfs = (target: string): Mount => ({type: 'tmpfs', target})
const places = (...mounts: readonly Mount[]) => toOciMounts({mounts: [...mounts]}).map(({destination}) => destination)

describe('the mounts of a container', () => {
  it.each([[[bind('/run/app.sock'), tmpfs('/run')]], [[tmpfs('/run'), bind('/run/app.sock')]]])('have parents first', (mounts) => {
    expect(places(...mounts).slice(-3)).toEqual(['/dev/shm', '/run', '/run/app.sock'])
  })

  it('are otherwise in the order of the request, after those of every container', () => {
    expect(places(bind('/b'), bind('/a')).slice(-3)).toEqual(['/dev/shm', '/b', '/a'])
  })

  it('are recognised by their path, however it is written', () => {
    expect(places(bind('/work//out/'), bind('/work')).slice(-3)).toEqual(['/dev/shm', '/work', '/work/out'])
  })

  it('replace those of every container at the same path, and with /dev all below it', () => {
    const shm = toOciMounts({mounts: [{type: 'tmpfs', target: '/dev/shm/', sizeBytes: 1}]}).filter(
      ({destination}) => destination === '/dev/shm',
    )
    expect(shm).toEqual([expect.objectContaining({source: 'tmpfs'})])
    expect(places(bind('/dev'))).toEqual(['/proc', '/sys', '/sys/fs/cgroup', '/dev'])
    expect(places(bind('/sys')).slice(-2)).toEqual(['/sys', '/sys/fs/cgroup'])
  })

  it('are refused twice at one path', () => {
    expect(() => assertDifferentPlaces([bind('/a'), tmpfs('/b/../a/')])).toThrow('expected one mount at /a, got several')
    expect(() => assertDifferentPlaces([bind('/a'), bind('/a/b'), tmpfs('/')])).not.toThrow()
  })
})
