// What a model is shown to find out whether it sees: two pictures of one colour each, so that a guess is wrong at least once.

export interface ProbePicture {
  /** A PNG of 64 by 64 pixels in base64. */
  readonly data: string;
  readonly colour: RegExp;
}

export const PICTURES: readonly ProbePicture[] = [
  {
    data: 'iVBORw0KGgoAAAANSUhEUgAAAEAAAABACAIAAAAlC+aJAAAAUElEQVR42u3PQQkAAAgEsAthCPvnMYwRfAuDFViq57UICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICFwWbcSBAMU++S8AAAAASUVORK5CYII=',
    colour: /\bblue\b/i,
  },
  {
    data: 'iVBORw0KGgoAAAANSUhEUgAAAEAAAABACAIAAAAlC+aJAAAAT0lEQVR42u3PQQkAAAgEsAtx/ZMZxgi+hcEKLNO+FgEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQGBywKqxUDxqh7TUQAAAABJRU5ErkJggg==',
    colour: /\bred\b/i,
  },
];
