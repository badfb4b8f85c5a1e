import { createApp } from 'vue';
import Plan from './Plan.vue';

createApp(Plan, { id: 'demo' }).mount('#app');
