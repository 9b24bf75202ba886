// Points by WebGL2, where there is one: a buffer that is filled once, and a window that moves over it.
// Libraries for this make code from text, which the page's policy forbids.
import { colourTable, DIMMED, NUM_FILLED, opacityOf, radiusOf, type Painter, type Scene } from "./painting";
import { MOST_GROUPS, type Points } from "./points";

const VERTEX = `#version 300 es
uniform vec4 window; uniform float size, opacity, dimmed, pass; uniform vec3 colours[${MOST_GROUPS + 1}];
in vec2 place; in float look, chosen;
out vec4 colour; flat out float ring;
void main() {
  int at = int(min(look, ${MOST_GROUPS}.0));
  gl_Position = vec4((place - window.xy) / (window.zw - window.xy) * 2.0 - 1.0, 0.0, 1.0);
  if (pass >= 0.0 && chosen != pass) gl_Position = vec4(9.0);
  gl_PointSize = size;
  colour = vec4(colours[at], pass < 0.0 ? opacity : pass < 0.5 ? dimmed : 0.95);
  ring = size > 6.0 && at >= ${NUM_FILLED} && at < ${MOST_GROUPS} ? 1.0 : 0.0;
}`;

const FRAGMENT = `#version 300 es
precision highp float;
uniform float size;
in vec4 colour; flat in float ring;
out vec4 painted;
void main() {
  float distance = length(gl_PointCoord - 0.5) * size;
  float cover = clamp(size / 2.0 - distance, 0.0, 1.0);
  if (ring > 0.5) cover *= clamp(distance - size / 2.0 + max(size * 0.3, 1.6), 0.0, 1.0);
  if (cover <= 0.0) discard;
  painted = vec4(colour.rgb, 1.0) * colour.a * cover;
}`;

const NAMES = ["window", "size", "opacity", "dimmed", "pass", "colours"] as const;

export class GlPainter implements Painter {
  private readonly gl: WebGL2RenderingContext;
  private readonly at: Record<(typeof NAMES)[number], WebGLUniformLocation | null>;
  private readonly places: WebGLBuffer;
  private readonly looks: WebGLBuffer;
  private readonly chosen: WebGLBuffer;
  private filled: Points | null = null;
  private marked: Uint8Array | null | undefined;

  /** Throws where there is no WebGL2; `lost` is called if it goes away later. */
  constructor(private readonly canvas: HTMLCanvasElement, lost: () => void) {
    const gl = canvas.getContext("webgl2", { antialias: false, premultipliedAlpha: true, preserveDrawingBuffer: false });
    if (!gl) throw new Error("This browser has no WebGL2.");
    this.gl = gl;
    const program = linked(gl);
    gl.useProgram(program);
    gl.enable(gl.BLEND);
    gl.blendFunc(gl.ONE, gl.ONE_MINUS_SRC_ALPHA);
    this.at = Object.fromEntries(NAMES.map((name) => [name, gl.getUniformLocation(program, name)])) as typeof this.at;
    this.places = buffer(gl, program, "place", 2, gl.FLOAT);
    this.looks = buffer(gl, program, "look", 1, gl.UNSIGNED_BYTE);
    this.chosen = buffer(gl, program, "chosen", 1, gl.UNSIGNED_BYTE);
    canvas.addEventListener("webglcontextlost", lost, { once: true });
  }

  paint(scene: Scene): void {
    const { gl, at } = this;
    const [width, height] = [Math.round(scene.width * scene.ratio), Math.round(scene.height * scene.ratio)];
    if (this.canvas.width !== width || this.canvas.height !== height) [this.canvas.width, this.canvas.height] = [width, height];
    this.fill(scene.points, scene.chosen);
    gl.viewport(0, 0, width, height);
    gl.clearColor(0, 0, 0, 0);
    gl.clear(gl.COLOR_BUFFER_BIT);
    gl.uniform4f(at.window, scene.window.u[0], scene.window.v[0], scene.window.u[1], scene.window.v[1]);
    gl.uniform1f(at.size, 2 * radiusOf(scene) * scene.ratio);
    gl.uniform1f(at.opacity, opacityOf(scene));
    gl.uniform1f(at.dimmed, DIMMED);
    gl.uniform3fv(at.colours, colourTable(scene.palette, scene.points.count));
    for (const pass of scene.chosen ? [0, 1] : [-1]) {
      gl.uniform1f(at.pass, pass);
      gl.drawArrays(gl.POINTS, 0, scene.points.u.length);
    }
  }

  destroy(): void {
    this.gl.getExtension("WEBGL_lose_context")?.loseContext(); // a page may have sixteen
  }

  private fill(points: Points, chosen: Uint8Array | null): void {
    const { gl } = this;
    if (this.filled !== points) {
      const places = new Float32Array(2 * points.u.length);
      for (let i = 0; i < points.u.length; i++) {
        const known = points.u[i] === points.u[i];
        places[2 * i] = known ? points.u[i]! : 1e9;
        places[2 * i + 1] = known ? points.v[i]! : 1e9;
      }
      upload(gl, this.places, places);
      upload(gl, this.looks, points.look);
      [this.filled, this.marked] = [points, undefined];
    }
    if (this.marked === chosen) return;
    upload(gl, this.chosen, chosen ?? new Uint8Array(points.u.length));
    this.marked = chosen;
  }
}

function upload(gl: WebGL2RenderingContext, place: WebGLBuffer, content: Float32Array | Uint8Array): void {
  gl.bindBuffer(gl.ARRAY_BUFFER, place);
  gl.bufferData(gl.ARRAY_BUFFER, content, gl.STATIC_DRAW);
}

function buffer(gl: WebGL2RenderingContext, program: WebGLProgram, name: string, size: number, type: number): WebGLBuffer {
  const made = gl.createBuffer();
  const location = gl.getAttribLocation(program, name);
  gl.bindBuffer(gl.ARRAY_BUFFER, made);
  gl.enableVertexAttribArray(location);
  gl.vertexAttribPointer(location, size, type, false, 0, 0);
  return made;
}

function linked(gl: WebGL2RenderingContext): WebGLProgram {
  const program = gl.createProgram();
  for (const [kind, source] of [[gl.VERTEX_SHADER, VERTEX], [gl.FRAGMENT_SHADER, FRAGMENT]] as const) {
    const shader = gl.createShader(kind)!;
    gl.shaderSource(shader, source);
    gl.compileShader(shader);
    gl.attachShader(program, shader);
  }
  gl.linkProgram(program);
  if (!gl.getProgramParameter(program, gl.LINK_STATUS)) throw new Error(`The points' shader failed: ${gl.getProgramInfoLog(program) ?? ""}`);
  return program;
}
