/*{
  "ISFVSN": "2",
  "DESCRIPTION": "One picture fades into the other in linear light, so that the middle is no darker than the ends.",
  "CREDIT": "installation",
  "CATEGORIES": ["Transition"],
  "INPUTS": [
    {"NAME": "startImage", "TYPE": "image"},
    {"NAME": "endImage", "TYPE": "image"},
    {"NAME": "progress", "TYPE": "float", "DEFAULT": 0.0, "MIN": 0.0, "MAX": 1.0}
  ]
}*/

vec3 linear(vec3 shown) { return pow(max(shown, 0.0), vec3(2.2)); }

void main() {
    vec3 start = linear(IMG_THIS_PIXEL(startImage).rgb);
    vec3 end = linear(IMG_THIS_PIXEL(endImage).rgb);
    float eased = progress * progress * (3.0 - 2.0 * progress);
    gl_FragColor = vec4(pow(mix(start, end, eased), vec3(1.0 / 2.2)), 1.0);
}
