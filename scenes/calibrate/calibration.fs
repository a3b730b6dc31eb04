/*{
  "ISFVSN": "2",
  "DESCRIPTION": "To set the picture by the sound: with /master/click on, the disc is bright while a click is heard, and the hand goes round once from one click to the next, from the top.",
  "CREDIT": "installation",
  "CATEGORIES": ["Generator", "Utility"],
  "INPUTS": [
    {"NAME": "wave", "TYPE": "audio", "MAX": 2048}
  ],
  "PASSES": [
    {"TARGET": "heard", "PERSISTENT": true, "FLOAT": true, "WIDTH": "1", "HEIGHT": "1"},
    {}
  ]
}*/

// How long ago the last click began, as a share of 2048 samples; 2 if there is none among them.
float found() {
    for (int back = 2047; back >= 0; back--) {
        float place = (float(2047 - back) + 0.5) / 2048.0;
        if (abs(IMG_NORM_PIXEL(wave, vec2(place, 0.5)).r - 0.5) > 0.12) return float(back) / 2048.0;
    }
    return 2.0;
}

// r: seconds since the last click began. A click is 20 ms long, so one seen less than 30 ms after the last is the same.
vec4 clock() {
    float since = IMG_NORM_PIXEL(heard, vec2(0.5)).r + TIMEDELTA;
    float now = found() * 2048.0 / 48000.0;
    if (FRAMEINDEX == 0) since = 1.0;
    if (now < 1.0 / 24.0 && (since > 0.2)) since = now;
    return vec4(since, 0.0, 0.0, 1.0);
}

vec4 dial() {
    vec2 at = (isf_FragNormCoord * 2.0 - 1.0) * vec2(RENDERSIZE.x / RENDERSIZE.y, 1.0);
    float pixel = 2.0 / RENDERSIZE.y, far = length(at);
    float since = IMG_NORM_PIXEL(heard, vec2(0.5)).r;
    float angle = atan(at.x, at.y);

    float flash = since < 0.1 ? 1.0 : 0.0;
    vec3 light = vec3(0.02) + flash * smoothstep(0.34 + pixel, 0.34, far);
    light += 0.25 * smoothstep(pixel * 2.0, pixel, abs(far - 0.36));

    // A tick each tenth of a second, a long one at the top, and ten between them each side of it.
    float tenth = abs(fract(angle / 6.2831853 * 10.0 + 0.5) - 0.5) * 6.2831853 / 10.0 * far;
    light += 0.5 * smoothstep(pixel * 1.5, pixel * 0.5, tenth) * step(0.72, far) * step(far, 0.80);
    float hundredth = abs(fract(angle / 6.2831853 * 100.0 + 0.5) - 0.5) * 6.2831853 / 100.0 * far;
    light += 0.3 * smoothstep(pixel, 0.0, hundredth) * step(0.76, far) * step(far, 0.80) * step(abs(angle), 0.66);
    light += smoothstep(pixel * 2.0, pixel, abs(at.x)) * step(0.66, at.y) * step(at.y, 0.84);

    float hand = fract(since) * 6.2831853;
    vec2 along = vec2(sin(hand), cos(hand));
    float off = abs(at.x * along.y - at.y * along.x), on = dot(at, along);
    light += vec3(1.0, 0.45, 0.1) * smoothstep(pixel * 2.5, pixel, off) * step(0.36, on) * step(on, 0.80);
    return vec4(min(light, 1.0), 1.0);
}

void main() {
    gl_FragColor = PASSINDEX == 0 ? clock() : dial();
}
