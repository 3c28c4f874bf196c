import { type Manifest, type Mirrors, packManifest, unpackManifest } from '../../updates/manifest.ts';

/** Mirrors in maps. */
export class MemoryMirrors implements Mirrors {
  newest: Manifest | undefined;
  readonly segments = new Map<string, Uint8Array>();

  async manifest(): Promise<Manifest | undefined> {
    return this.newest && unpackManifest(packManifest(this.newest), this.newest.id);
  }

  async putManifest(manifest: Manifest, replaced: string | undefined): Promise<boolean> {
    if (this.newest?.id !== replaced) return false;
    this.newest = manifest;
    return true;
  }

  async segment(id: string, n: number): Promise<Uint8Array | undefined> {
    return this.segments.get(`${id}/${n}`);
  }

  async putSegment(id: string, n: number, packed: Uint8Array): Promise<void> {
    this.segments.set(`${id}/${n}`, packed);
  }
}
