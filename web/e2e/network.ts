// The network between a browser and a mesh, which can fall silent: it takes connections and bytes, and nothing comes of them.
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';

export class Network {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #isSilent = false;

  private constructor(port: () => number) {
    this.#server = createServer((near) => this.#join(near, port()));
  }

  /** A network that leads to this origin. */
  static async to(origin: string): Promise<Network> {
    const network = new Network(() => Number(new URL(origin).port));
    await new Promise<void>((listens) => network.#server.listen(0, '127.0.0.1', listens));
    return network;
  }

  /** Where what it leads to seems to be. */
  get origin(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** How many connections wait for an answer. */
  get waiting(): number {
    return this.#isSilent ? this.#sockets.size : 0;
  }

  fallSilent(): void {
    this.#isSilent = true;
    for (const socket of this.#sockets) socket.unpipe().pause();
  }

  /** Breaks every connection. */
  cut(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  /** What was begun in silence is lost; what is begun now arrives. */
  goOn(): void {
    if (this.#isSilent) this.cut();
    this.#isSilent = false;
  }

  async stop(): Promise<void> {
    this.cut();
    await new Promise((stopped) => this.#server.close(stopped));
  }

  #join(near: Socket, port: number): void {
    this.#keep(near);
    if (this.#isSilent) return void near.pause();
    const far = connect(port, '127.0.0.1');
    this.#keep(far);
    near.pipe(far).pipe(near);
    near.once('close', () => far.destroy());
    far.once('close', () => near.destroy());
  }

  #keep(socket: Socket): void {
    this.#sockets.add(socket);
    socket.on('error', () => socket.destroy());
    socket.once('close', () => this.#sockets.delete(socket));
  }
}
