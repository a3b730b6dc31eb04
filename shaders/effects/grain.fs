/*{
  "ISFVSN": "2",
  "DESCRIPTION": "The grain of film: strongest in the middle tones, none in black and white, a new one twelve times a second. It keeps the mean and breaks up bands in dark gradients.",
  "CREDIT": "installation",
  "CATEGORIES": ["Filter", "Film"],
  "INPUTS": [
    {"NAME": "inputImage", "TYPE": "image"},
    {"NAME": "amount", "TYPE": "float", "DEFAULT": 0.25, "MIN": 0.0, "MAX": 1.0, "IDENTITY": 0.0, "LABEL": "How strong it is"},
    {"NAME": "size", "TYPE": "float", "DEFAULT": 1.0, "MIN": 0.5, "MAX": 4.0, "LABEL": "How large a grain is, in 360ths of the height"}
  ]
}*/

// Whole numbers mixed by multiplying and folding the high half down: as fine at any place and any time.
uint mixed(uint number) {
    number = (number ^ (number >> 15)) * 0x9E3779B1u;
    number = (number ^ (number >> 13)) * 0x85157AF5u;
    return number ^ (number >> 16);
}

// -1..1, mean 0, of a triangle's density: two throws of the die.
float thrown(ivec2 cell, uint time) {
    uint first = mixed(uint(cell.x) + mixed(uint(cell.y) + mixed(time)));
    return (float(first & 0xFFFFu) + float(first >> 16)) / 65535.0 - 1.0;
}

void main() {
    vec4 here = IMG_THIS_PIXEL(inputImage);
    float scale = max(1.0, size * RENDERSIZE.y / 360.0);
    vec2 at = gl_FragCoord.xy / scale - 0.5;
    ivec2 cell = ivec2(floor(at));
    uint time = uint(floor(TIME * 12.0));
    vec2 share = clamp((fract(at) - 0.5) * scale + 0.5, 0.0, 1.0);
    float low = mix(thrown(cell, time), thrown(cell + ivec2(1, 0), time), share.x);
    float high = mix(thrown(cell + ivec2(0, 1), time), thrown(cell + ivec2(1, 1), time), share.x);
    float level = clamp(dot(here.rgb, vec3(0.2126, 0.7152, 0.0722)), 0.0, 1.0);
    float give = amount * 0.45 * mix(low, high, share.y) * (1.0 - level);
    gl_FragColor = vec4(here.rgb * (1.0 + give), here.a);
}
