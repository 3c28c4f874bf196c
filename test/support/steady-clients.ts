import { Agent, request } from 'node:http';
import { until } from './until.ts';

/** Visitors of a site, each on a connection of its own, who ask again as soon as they are answered. */
export class SteadyClients {
  /** How many answers had each status, with HAProxy's error if it had one; `0` are connections that broke. */
  readonly answers: Record<string, number> = {};
  answered = 0;
  readonly #agent: Agent;
  readonly #running: Promise<unknown>;
  #isOver = false;

  constructor(port: number, count: number, headers: (turn: number) => Record<string, string>) {
    this.#agent = new Agent({ keepAlive: true, maxSockets: count });
    let turn = 0;
    const client = async () => {
      while (!this.#isOver) {
        const answer = await answerTo(port, this.#agent, headers(turn++));
        this.answers[answer] = (this.answers[answer] ?? 0) + 1;
        this.answered++;
      }
    };
    this.#running = Promise.all(Array.from({ length: count }, client));
  }

  /** How many were answered otherwise than with this status. */
  others(status: number): number {
    return this.answered - (this.answers[status] ?? 0);
  }

  untilAnswered(count: number): Promise<void> {
    return until(
      () => this.answered >= count,
      () => `${this.answered} answers: ${JSON.stringify(this.answers)}`,
    );
  }

  async end(): Promise<void> {
    this.#isOver = true;
    await this.#running;
    this.#agent.destroy();
  }
}

function answerTo(port: number, agent: Agent, headers: Record<string, string>): Promise<string> {
  return new Promise((resolve) => {
    request({ host: '127.0.0.1', port, agent, headers }, (response) => {
      response.resume().on('end', () => {
        const error = response.headers['x-haverdict-error'];
        resolve(error === undefined ? `${response.statusCode}` : `${response.statusCode} error ${error}`);
      });
    })
      .on('error', () => resolve('0'))
      .end();
  });
}
