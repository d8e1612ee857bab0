import { describe, expect, it } from 'vitest';
import { pictureOfText, pictureOfUrl, refuseAddresses } from './pictures.js';

const PNG = 'iVBORw0KGgo=';

describe('pictures', () => {
  it('come as data URL or base64, and as nothing else', () => {
    expect(pictureOfUrl(`data:image/png;base64,${PNG}`)).toEqual({ mediaType: 'image/png', base64: PNG });
    expect(pictureOfText(PNG)).toEqual({ mediaType: 'image/png', base64: PNG });
    for (const wrong of [
      'https://example.org/a.png',
      'file:///etc/passwd',
      '/etc/passwd',
      'data:text/html;base64,AAAA',
      '',
    ])
      expect(() => pictureOfText(wrong), wrong).toThrow(expect.objectContaining({ code: 'unsupported' }));
    for (const wrong of ['http://10.0.0.1/', 'data:image/png,raw', undefined, { url: 'x' }])
      expect(() => pictureOfUrl(wrong)).toThrow(expect.objectContaining({ code: 'unsupported' }));
  });

  it.each([
    { type: 'image_url', image_url: { url: 'http://169.254.169.254/latest' } },
    { type: 'image_url', image_url: ' HTTPS://example.org/a.png' },
    { type: 'image_url', image_url: { url: '//169.254.169.254/latest' } },
    { type: 'image_url', image_url: 'ht\ntp://10.0.0.1/' },
    { type: 'image_url', image_url: { url: '/etc/passwd' } },
    { type: 'video_url', video_url: { url: 'file:///etc/passwd' } },
    { type: 'input_audio', input_audio: { data: 'ftp://a' } },
  ])('may not point anywhere: %j', (part) => {
    expect(() => refuseAddresses(part)).toThrow(expect.objectContaining({ code: 'unsupported' }));
  });

  it('may carry their bytes', () => {
    refuseAddresses({ type: 'image_url', image_url: { url: `data:image/png;base64,${PNG}`, detail: 'low' } });
    refuseAddresses({ type: 'input_audio', input_audio: { data: 'AAAA', format: 'wav' } });
    refuseAddresses({ type: 'input_audio', input_audio: { data: '//uQxAAA', format: 'mp3' } });
    refuseAddresses({ type: 'video_url', video_url: { url: 'data:video/mp4;base64,AAAA' } });
  });
});
